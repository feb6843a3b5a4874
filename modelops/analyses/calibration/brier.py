"""The Brier score and its parts: what is lost by being uncalibrated, and what is won by telling rows apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelops.analyses.statistics.reliability import Reliability


@dataclass(frozen=True)
class BrierParts:
    """``score = reliability - resolution + uncertainty + within_bins``.

    ``reliability`` is the mean squared distance of score and share of positive rows (0 is best), ``resolution`` how
    far the bins lie apart (more is better), ``uncertainty`` the score of always saying the base rate. ``within_bins``
    is what bins do not see: scores and labels that go together inside a bin.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float

    def without(self, noise: BrierParts) -> BrierParts:
        """Return the parts less what chance adds to each."""
        return BrierParts(
            self.reliability - noise.reliability,
            self.resolution - noise.resolution,
            self.uncertainty - noise.uncertainty,
            self.within_bins,
        )


def brier_parts(bins: Reliability, score: float) -> tuple[BrierParts, BrierParts]:
    """Return the parts of a Brier score, as they are and debiased.

    With few rows a bin's share of positive rows misses the truth by chance, which inflates reliability and resolution
    alike. The debiased parts have that taken off; they add up to the same score, and the reliability of calibrated
    scores is 0 on average (so it can come out below 0).

    References
    ----------
    A. H. Murphy, "A new vector partition of the probability score", Journal of Applied Meteorology 12, 1973;
    D. B. Stephenson et al., Weather and Forecasting 23, 2008 (within bins); C. A. T. Ferro, T. E. Fricker, "A
    bias-corrected decomposition of the Brier score", Quarterly Journal of the Royal Meteorological Society 138, 2012.

    Examples
    --------
    >>> from modelops.analyses.statistics.reliability import reliability
    >>> bins = reliability(np.array([0.2, 0.2, 0.8, 0.8]), np.array([False, True, True, True]), bins=2)
    >>> plain, debiased = brier_parts(bins, score=(0.04 + 0.64 + 0.04 + 0.04) / 4)
    >>> round(plain.reliability, 3), round(plain.resolution, 4), plain.uncertainty
    (0.065, 0.0625, 0.1875)
    """
    share = bins.mass / bins.mass.sum()
    observed, base = bins.observed, float(np.sum(share * bins.observed))
    reliability = float(np.sum(share * (bins.scores - observed) ** 2))
    resolution = float(np.sum(share * (observed - base) ** 2))
    uncertainty = base * (1 - base)
    plain = BrierParts(reliability, resolution, uncertainty, score - reliability + resolution - uncertainty)
    effective = bins.effective
    spread = observed * (1 - observed)
    # A bin of one row cannot tell its own noise; it is taken to be the largest there is.
    noise = float(np.sum(share * np.where(effective > 1, spread / np.maximum(effective - 1, 1e-12), 0.25)))
    overall = uncertainty / max(float(effective.sum()) - 1, 1.0)
    return plain, plain.without(BrierParts(noise, noise - overall, -overall, 0.0))
