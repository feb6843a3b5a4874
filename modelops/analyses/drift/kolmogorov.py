"""The two-sample Kolmogorov-Smirnov statistic: its p-value, its interval, the smallest distance it can see.

Sample sizes may be fractions: with autocorrelated rows they are effective sizes.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from modelops.analyses.statistics.intervals import LEVEL, Interval
from modelops.errors import InvalidInput

POWER = 0.8
EXACT_ROWS = 10_000
"""Up to this many rows a side the p-value is exact, beyond it asymptotic; the same bound as scipy's."""

_VANISHING = 1e-10
_ROUGH_ROWS = 100
_SERIES_ROWS = 25_000
_FAR_OUT = 2.2


def kolmogorov_smirnov_p_value(statistic: float, n: float, m: float) -> float:
    """Return the two-sided p-value of the two-sample K-S statistic.

    Exact, by counting lattice paths, for whole sample sizes up to `EXACT_ROWS`; otherwise (and where it is below 1e-10
    anyway) the distribution of the one-sample statistic at ``n m / (n + m)`` rows, of which the far tail beyond 25,000
    such rows is the limiting one. With ties it is conservative.

    Parameters
    ----------
    statistic : float
        Between 0 and 1.
    n, m : float
        Rows of both samples.

    References
    ----------
    J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv for Matematik 3, 1958.

    Examples
    --------
    >>> round(kolmogorov_smirnov_p_value(0.5, 4, 4), 4)
    0.7714
    """
    if not (0 <= statistic <= 1 and n > 0 and m > 0):
        raise InvalidInput(f"Got the K-S statistic {statistic} of {n} and {m} rows, expected 0 to 1 and rows.")
    from scipy.stats import kstwo

    rows = max(1, round(n * m / (n + m)))
    if rows > _SERIES_ROWS and rows * statistic**2 > _FAR_OUT:
        return _limiting_p_value(statistic, rows)
    rough = float(np.clip(kstwo.sf(statistic, rows), 0, 1))
    whole = float(n).is_integer() and float(m).is_integer()
    if not whole or max(n, m) > EXACT_ROWS or (rough < _VANISHING and rows > _ROUGH_ROWS):
        return rough
    return _exact_p_value(statistic, int(n), int(m))


def _limiting_p_value(statistic: float, rows: int) -> float:
    """Return the tail of Kolmogorov's distribution with Vrbik's correction for the number of rows.

    The exact sum has a term for each row; on so many rows the two differ in the fifth digit.

    References
    ----------
    J. Vrbik, "Small-sample corrections to Kolmogorov-Smirnov test statistic", Pioneer Journal of Theoretical and
    Applied Statistics 15, 2018.
    """
    from scipy.special import kolmogorov

    scaled = statistic * math.sqrt(rows)
    return float(kolmogorov(scaled + 1 / (6 * math.sqrt(rows)) + (scaled - 1) / (4 * rows)))


def _exact_p_value(statistic: float, n: int, m: int) -> float:
    """Return the share of lattice paths from (0, 0) to (n, m) that reach the statistic's distance from the diagonal.

    Row by row, the number of paths that stay inside is a running sum of the row before; powers of two are split off to
    keep the numbers in range.
    """
    n, m = max(n, m), min(n, m)
    common = math.gcd(n, m)
    across, along = m // common, n // common
    limit = round(statistic * along * m)
    if limit == 0:
        return 1.0
    columns = np.arange(m + 1)
    paths, exponent = (columns * along < limit).astype(np.float64), 0
    for row in range(1, n + 1):
        first = max(0, (row * across - limit) // along + 1)
        last = min(m, -((-row * across - limit) // along) - 1)
        paths[:first] = 0.0
        paths[last + 1 :] = 0.0
        if first <= last:
            paths[first : last + 1] = np.cumsum(paths[first : last + 1])
        largest = float(paths[last]) if first <= last else 0.0
        if largest == 0.0:
            return 1.0
        if largest > 1e200:
            shift = math.frexp(largest)[1]
            paths, exponent = np.ldexp(paths, -shift), exponent + shift
    everything = math.fsum(math.log((n + k) / k) for k in range(1, m + 1))
    inside = math.exp(math.log(float(paths[m])) + exponent * math.log(2.0) - everything)
    return min(1.0, max(0.0, 1.0 - inside))


def kolmogorov_smirnov_interval(statistic: float, n: float, m: float, *, level: float = LEVEL) -> Interval:
    """Return a confidence interval of the distance between the two distributions behind the samples.

    The two-sample Dvoretzky-Kiefer-Wolfowitz band around F - G, whose half width is ``sqrt(log(2 / (1 - level)) / 2 *
    (1/n + 1/m))``. It leaves out 0 just where the asymptotic test rejects at ``1 - level``. A bootstrap is not used: it
    is inconsistent for a largest distance near 0 and would need every row again.

    References
    ----------
    P. Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality", Annals of Probability 18, 1990.
    F. Wei, R. M. Dudley, "Two-sample Dvoretzky-Kiefer-Wolfowitz inequalities", Statistics and Probability Letters 82,
    2012.

    Examples
    --------
    >>> [round(end, 4) for end in kolmogorov_smirnov_interval(0.1, 5000, 5000)]
    [0.0728, 0.1272]
    """
    half = _ks_critical(1 - level, n, m)
    return max(0.0, statistic - half), min(1.0, statistic + half)


def _ks_critical(alpha: float, n: float, m: float) -> float:
    return math.sqrt(math.log(2 / alpha) / 2 * (1 / n + 1 / m))


def smallest_detectable_distance(n: float, m: float, *, alpha: float, power: float = POWER) -> float:
    """Return the distance between two distributions that the K-S test finds with at least ``power``, wherever it is.

    At the point of the largest distance the difference of the shares is about normal with a standard error of at most
    ``sqrt(1/n + 1/m) / 2``, and the test rejects if that one point passes the critical value. At most 1.

    References
    ----------
    F. J. Massey, "A note on the power of a non-parametric test", Annals of Mathematical Statistics 21, 1950.

    Examples
    --------
    >>> round(smallest_detectable_distance(1000, 1000, alpha=0.05), 4)
    0.0796
    """
    reach = NormalDist().inv_cdf(power) * math.sqrt(1 / n + 1 / m) / 2
    return min(1.0, _ks_critical(alpha, n, m) + reach)
