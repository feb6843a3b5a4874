"""How often every verdict of drift and fairness alarms where nothing has moved, and how often where something has.

Each line is a simulation at 100, 1,000 and 10,000 rows: the test alone at the 5 % level, and the verdict of the default
policy on the same result, which asks for a change that is real and large enough to matter. Every rate where nothing has
moved comes from ``--draws`` draws: 5 % from 2,000 is known to 1.0 points. What is found is known well enough from a
tenth of them.

    python benchmarks/false_alarms.py [--draws 2000] [--only TEXT] [--peers DIR]

With ``--peers`` the defaults of other drift suites judge the same tables, each in an environment of its own that pip
makes below DIR; one that cannot be installed is left out, and it says so.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from false_alarm_peers import peer_lines
from false_alarm_worlds import FEATURES, SIZES, correlated, drift_tables, loans, prices

from modelops.analyses.base import Analysis, Run
from modelops.analyses.drift import DRIFT
from modelops.analyses.drift.classifier import Encoded, domain_classifier
from modelops.analyses.fairness import FAIRNESS
from modelops.domain.columns import Task
from modelops.domain.judging import judge
from modelops.domain.policy import Policy, load_policy
from modelops.domain.result import AnalysisResult, Outcome, Scope
from modelops.settings import DATA
from tests.analyses.samples import evaluation

LEVEL = 0.05
_SHARE_OF_MOVED = 0.1

Hits = dict[str, tuple[bool | None, bool | None]]
"""By line: whether the test alone alarms, and whether the policy's verdict does; ``None`` where there is none."""

World = Callable[[np.random.Generator, int, bool], Hits]


def main() -> None:
    """Print both tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--only", default="", help="only simulations whose name holds this")
    parser.add_argument("--peers", type=Path, help="where environments of other suites are, or are made")
    given = parser.parse_args()
    for moved, title in ((False, "Nothing has moved: false alarms, in %"), (True, "Something has moved: found, in %")):
        print(f"\n{title}\n\n| what is judged | test {_sizes()} | verdict {_sizes()} |\n|---|---|---|")
        draws = max(25, int(given.draws * (_SHARE_OF_MOVED if moved else 1.0)))
        for name, world in WORLDS.items():
            if given.only in name:
                for line in simulated(world, draws=draws, moved=moved):
                    print(line, flush=True)
        if given.peers and given.only in "peers":
            for line in peer_lines(given.peers, draws=draws, moved=moved):
                print(line, flush=True)


def _sizes() -> str:
    return " / ".join(f"{size:,}" for size in SIZES)


def simulated(world: World, *, draws: int, moved: bool) -> Iterator[str]:
    """Yield the lines of one world."""
    found: dict[str, list[tuple[str, str]]] = {}
    for size in SIZES:
        rng = np.random.default_rng([2026, size, moved])
        hits: dict[str, list[tuple[bool | None, bool | None]]] = {}
        for _ in range(draws):
            for name, one in world(rng, size, moved).items():
                hits.setdefault(name, []).append(one)
        for name, every in hits.items():
            found.setdefault(name, []).append((_rate(test for test, _ in every), _rate(says for _, says in every)))
    for name, rates in found.items():
        yield f"| {name} | {' / '.join(test for test, _ in rates)} | {' / '.join(says for _, says in rates)} |"


def _rate(alarms: Iterator[bool | None]) -> str:
    known = [alarm for alarm in alarms if alarm is not None]
    return f"{100 * sum(known) / len(known):.1f}" if known else "-"


POLICY: Policy = load_policy((DATA / "policies" / "default.yaml").read_text(encoding="utf-8"))


def _result(analysis: Analysis, data: Any, **parameters: Any) -> AnalysisResult:
    computed = analysis.compute(data, analysis.parameters(**parameters), Run())
    result = AnalysisResult.model_validate(
        {
            "schema": "modelops.result/1", "analysis": analysis.key, "inputs": {}, "task": data.task.value,
            "parameters": {}, "seed": 0, "environment": {}, "protection": {"level": "A"}, "summary": "",
            "measurements": computed.measurements,
        }
    )  # fmt: skip
    return result.model_copy(update={"verdicts": judge(POLICY, result)})


def _failed(result: AnalysisResult, rule: str, **scope: Any) -> bool | None:
    """Whether the verdict of a rule is failed; ``None`` if there is no verdict, or not enough data for one."""
    said = [one.verdict for one in result.verdicts if one.rule == rule and (not scope or one.scope == scope)]
    return None if not said else Outcome.FAILED in said


def _below(result: AnalysisResult, metric: str, **scope: Any) -> bool | None:
    found = result.find(metric, **scope)
    return None if found is None or found.value is None else found.value <= LEVEL


def drift(rng: np.random.Generator, rows: int, moved: bool) -> Hits:
    """One drift run over columns of every kind."""
    reference, current = drift_tables(rng, rows, moved=moved)
    roles = {"features": FEATURES, "scores": ("score",), "prediction": "decision"}
    data = evaluation(current, reference=reference, positive="yes", **roles)
    result = _result(DRIFT, data, domain_classifier=False, overlays=0)
    tests = {
        "number": "kolmogorov_smirnov_p_value",
        "counts": "chi_squared_p_value",
        "category": "chi_squared_p_value",
        "rare": "chi_squared_p_value",
    }
    named = {
        "number": "drift of a number (K-S)",
        "counts": "drift of a number of few values (chi-squared)",
        "category": "drift of a category (chi-squared)",
        "rare": "drift of a category with rare levels (chi-squared)",
    }
    hits: Hits = {
        named[name]: (_below(result, test, feature=name), _failed(result, "drift.feature", feature=name))
        for name, test in tests.items()
    }
    index = result.find("population_stability_index", feature="number")
    critical = result.find("population_stability_index_critical_value", feature="number")
    above = None
    if index and critical and index.value is not None and critical.value is not None:
        above = index.value > critical.value
    hits["stability index above its critical value"] = (above, None)
    missing = _below(result, "missing_rate_p_value", feature="holes")
    hits["drift of missing values"] = (missing, _failed(result, "drift.missing", feature="holes"))
    hits["new categories"] = (None, _failed(result, "drift.new_category", feature="town"))
    score = _below(result, "kolmogorov_smirnov_p_value", score="score")
    hits["drift of scores (K-S)"] = (score, _failed(result, "drift.score", score="score"))
    decision = _below(result, "chi_squared_p_value", prediction="decision")
    hits["drift of predictions (chi-squared)"] = (decision, _failed(result, "drift.prediction", prediction="decision"))
    adjusted = [_below(result, "adjusted_p_value", feature=name) for name in FEATURES]
    hits["any of six features, adjusted"] = (any(adjusted), _failed(result, "drift.feature"))
    hits["share of drifted features"] = (None, _failed(result, "drift.share"))
    return hits


def classifier(rng: np.random.Generator, rows: int, moved: bool) -> Hits:
    """One domain classifier on three columns, of which only the correlation may have moved."""
    reference, current = correlated(rng, rows, moved=moved)
    encoded = Encoded(("a", "b", "c"), reference, current)
    seed = int(rng.integers(1 << 30))
    found = domain_classifier(encoded, seed=seed, alpha=LEVEL, progress=lambda _: None).separation
    rule = POLICY.rule("drift.domain_classifier")
    assert rule is not None
    alarms = found.p_value <= LEVEL
    return {"domain classifier": (alarms, alarms and rule.excess(found.roc_auc) > rule.margin)}


def fairness(rng: np.random.Generator, rows: int, moved: bool) -> Hits:
    """One fairness run on two groups, 70 to 30."""
    roles = {"target": "target", "scores": ("score",), "prediction": "decision", "sensitive": ("group",)}
    result = _result(FAIRNESS, evaluation(loans(rng, rows, moved=moved), positive="1", **roles))
    hits: Hits = {}
    for name, metric, rule in (
        ("equalized odds", "equalized_odds_p_value", "fairness.error_rates"),
        ("demographic parity", "demographic_parity_p_value", None),
        ("equal opportunity", "equal_opportunity_p_value", None),
        ("predictive parity", "predictive_parity_p_value", None),
        ("accuracy parity", "accuracy_parity_p_value", "fairness.accuracy"),
    ):
        judged = _failed(result, rule, feature="group") if rule else None
        hits[f"fairness: {name}"] = (_below(result, metric, feature="group"), judged)
    group: Scope = {"group": {"group": "b"}}
    offset = result.find("calibration_in_the_large", **group)  # type: ignore[arg-type]
    apart = None if offset is None or offset.interval is None else not offset.interval[0] <= 0 <= offset.interval[1]
    sides = [_failed(result, f"fairness.scores_too_{side}", **group) for side in ("high", "low")]
    hits["fairness: scores of a group too high or low"] = (apart, any(sides) if None not in sides else None)
    hits["fairness: four fifths"] = (None, _failed(result, "fairness.adverse_impact"))
    return hits


def error(rng: np.random.Generator, rows: int, moved: bool) -> Hits:
    """One fairness run on a regression."""
    data = prices(rng, rows, moved=moved)
    roles = {"target": "target", "prediction": "decision", "sensitive": ("group",)}
    result = _result(FAIRNESS, evaluation(data, task=Task.REGRESSION, **roles))
    test = _below(result, "mean_error_p_value", feature="group")
    return {"fairness: mean error (regression)": (test, _failed(result, "fairness.mean_error", feature="group"))}


WORLDS: dict[str, World] = {"drift": drift, "classifier": classifier, "fairness": fairness, "error": error}


if __name__ == "__main__":
    main()
