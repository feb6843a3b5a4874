"""Wrong labels told from scores that are too sure of themselves: both contradict, but not in the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_FITTED = 50_000
_EXPONENTS = (-5.0, 1.5)
_MOST_NOISE = 0.5
# Above this p the rate is taken as 0: a rate that chance explains would make the scores too sure.
_SHOWN = 0.05


@dataclass(frozen=True)
class Noise:
    """How the labels came about.

    ``doubt`` are the scores as sure as they are right, ``rate`` the share of labels that are wrong beside that, and
    ``p_value`` how often right labels would look as if some were.
    """

    doubt: Numbers
    rate: float
    p_value: float

    def chance_wrong(self, given: Codes) -> Numbers:
        """Return how likely each label is one of those that are wrong at random, shape (n,): 0 where the rate is 0.

        By Bayes' rule, with ``q`` the score of the label as sure as it is right:
        ``rate * (1 - q) / (k - 1)`` over that plus ``(1 - rate) * q``.

        Examples
        --------
        >>> Noise(np.array([[0.99, 0.01], [0.7, 0.3]]), 0.05, 0.001).chance_wrong(np.array([1, 1])).round(2).tolist()
        [0.84, 0.11]
        """
        q = self.doubt[np.arange(given.size), given]
        wrong = self.rate * (1 - q) / (self.doubt.shape[1] - 1)
        both = wrong + (1 - self.rate) * q
        return np.asarray(np.divide(wrong, both, out=np.zeros(given.size), where=both > 0))


def label_noise(scores: Numbers, given: Codes) -> Noise:
    """Fit by maximum likelihood how sure the scores may be, and which share of the labels is wrong beside it.

    A score that is too sure is so everywhere: one exponent (temperature) brings all of them to where they are right.
    Labels that are wrong at random contradict the surest scores too, which no exponent explains. So the probability
    of a label is taken as ``(1 - rate) * q + rate * (1 - q) / (k - 1)`` with ``q`` the score after the exponent. The
    test that the rate is 0 is that of the likelihood ratio on the edge of what is possible: half of chi-squared with
    one degree of freedom.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        Probabilities.
    given : ndarray of shape (n,)
        Labels, 0 to k - 1.

    References
    ----------
    D. Angluin, P. Laird, Machine Learning 2, 1988 (labels wrong at random); C. Guo et al., ICML 2017 (temperature);
    S. G. Self, K.-Y. Liang, JASA 82, 1987 (the test on the edge).

    Examples
    --------
    >>> sure = np.tile([[0.99, 0.01]], (10, 1))
    >>> label_noise(sure, np.array([0] * 8 + [1] * 2)).doubt[0].round(2).tolist()
    [0.8, 0.2]
    """
    from scipy.optimize import minimize
    from scipy.special import chdtrc

    logs = np.log(np.clip(scores, 1e-12, None))
    some, labels = logs[:MOST_FITTED], given[:MOST_FITTED]
    rows, others = np.arange(labels.size), scores.shape[1] - 1

    def loss(at: Numbers) -> float:
        mine, rate = _raised(some, float(at[0]))[rows, labels], float(at[1])
        return -float(np.log(np.maximum((1 - rate) * mine + rate * (1 - mine) / others, 1e-300)).mean())

    plain = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[_EXPONENTS, (0.0, 0.0)])
    exponent = float(plain.x[0])
    starts = [np.array([exponent, 0.01]), np.array([min(exponent + 0.5, _EXPONENTS[1]), 0.1])]
    fits = [minimize(loss, at, method="L-BFGS-B", bounds=[_EXPONENTS, (0.0, _MOST_NOISE)]) for at in starts]
    best = min(fits, key=lambda fit: float(fit.fun))
    gain = 2 * labels.size * (float(plain.fun) - float(best.fun))
    p_value = 0.5 * float(chdtrc(1, gain)) if gain > 1e-9 else 1.0
    kept = best if p_value <= _SHOWN else plain
    return Noise(_raised(logs, float(kept.x[0])), float(kept.x[1]), p_value)


def _raised(logs: Numbers, exponent: float) -> Numbers:
    """Return the scores to the power of ``e ** exponent``, brought back to a sum of 1."""
    power = np.exp(exponent)
    raised = np.exp(power * (logs - logs.max(axis=1, keepdims=True)))
    result: Numbers = raised / raised.sum(axis=1, keepdims=True)
    return result
