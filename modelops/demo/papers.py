"""The papers that a team would attach: written from the tables and the trained model, so that every number is true."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from modelops.demo.figures import RESAMPLES, Figure, Parts, auc, segments
from modelops.demo.generator import CATEGORIES, DATA_AS_OF, FEATURES, NUMBERS, TARGET
from modelops.domain.number_words import percent

_LOW_AND_HIGH = {
    "income": (300, 30_000),
    "debt_ratio": (0, 1),
    "age": (18, 85),
    "employment_years": (0, 60),
    "loan_amount": (1_000, 50_000),
    "term_months": (12, 84),
    "prior_defaults": (0, 10),
    "credit_lines": (0, 30),
}
_MOST_MISSING = {"income": 0.05, "debt_ratio": 0.08, "employment_years": 0.06}
_FACTORS = {"set to zero": 0.0, "divided by ten": 0.1, "times ten": 10.0, "times a thousand": 1_000.0}


def papers(parts: Parts, model: Any, found: dict[str, Figure]) -> dict[str, str]:
    """Return each paper by its file name."""
    return {
        "exploration.md": exploration(parts, found),
        "baseline.md": baseline(found),
        "validation.md": validation(found),
        "input_checks.md": input_checks(parts),
        "stress_test.md": stress_test(parts, model),
        "weak_segments.md": weak_segments(parts),
        "shadow_run.md": shadow_run(parts, found),
        "case_review.csv": case_review(parts),
    }


def exploration(parts: Parts, found: dict[str, Figure]) -> str:
    """Return the profile of the development months, with the flaws."""
    rows = pd.concat([parts.train, parts.test])
    profile = [
        (name, percent(rows[name].isna().mean()), *(f"{rows[name].quantile(q):,.10g}" for q in (0, 0.05, 0.5, 0.95, 1)))
        for name in NUMBERS
    ]
    return f"""# Exploration of the development data

Written by the author of the model and read by a senior credit officer. {len(rows):,} loans from {_span(rows)}, as of
{DATA_AS_OF:%d.%m.%Y}.

{_table(("column", "missing", "lowest", "5 %", "median", "95 %", "highest"), profile)}

{_table(("column", "values and their share"), _shares(rows))}

## Flaws, and what follows

- Income is missing for {_share(found["missing_income"])} of the loans, debt ratio for
  {_share(found["missing_debt"])}, employment years for {_share(found["missing_tenure"])}. They are filled with the
  median inside the model.
- `employment_years` counts from the last interruption of work. Its median in the test months is
  {found["tenure_women"]:.1f} years for women and {found["tenure_men"]:.1f} for men: a stand-in for parental leave. See
  the fairness run.
- `income` is what the applicant can prove alone; a partner's income is not in it.
- `collection_calls` is filled in after the pay-out. It must never be an input.
- Refused applications are not in the table: the outcome of a loan that was never paid out is unknown.
- Application numbers that stand twice: {found["repeated_ids"]}. Values outside their possible range: none.
"""


def _share(figure: Figure) -> str:
    return percent(float(figure))


def baseline(found: dict[str, Figure]) -> str:
    """Return the comparison with the rule in force."""
    lines = [
        ("ROC AUC", f"{found['auc_rule']:.3f}", f"{found['auc_test']:.3f}"),
        ("refused", _share(found["rule_refused"]), _share(found["flagged"])),
        (
            "share of the defaults that it refuses",
            _share(found["rule_recall"]),
            _share(found["recall"]),
        ),
        ("saved in a year, euros", f"{found['saved_rule']:,.0f}", f"{found['saved_model']:,.0f}"),
    ]
    return f"""# The rule in force against the model

Both on the same {found["rows_test"]:,} loans of February to April 2025, {found["defaults_test"]} of which defaulted.
Neither has seen them. The rule gives three points for an earlier default, two for a debt ratio above 0.45, and one each
for less than a year in work, an income below 1,500 and an age below 22; from three points on it refuses.

{_table(("measure", "rule", "model"), lines)}

The model's ROC AUC is higher by {found["gain"]:.3f} (95 % interval {found["gain_low"]:.3f} to
{found["gain_high"]:.3f}, {RESAMPLES} paired resamples). Always saying "no default" has a ROC AUC of 0.5 and
refuses nobody.
"""


def validation(found: dict[str, Figure]) -> str:
    """Return the checks for overfitting, leakage and repeatability."""
    checks = [
        ("ROC AUC on the training months", f"{found['auc_train']:.3f}"),
        ("ROC AUC on the test months, not used before", f"{found['auc_test']:.3f}"),
        (
            "the same pipeline trained on shuffled outcomes",
            f"{found['auc_shuffled']:.3f} (mean of six; 0.5 expected)",
        ),
        ("equal rows in training and test", f"{found['shared_rows']}"),
        ("application numbers that stand twice", f"{found['repeated_ids']}"),
        ("strongest single input", f"{found['best_column']}, ROC AUC {found['best_alone']:.3f}"),
        ("`collection_calls`, which is not an input", f"ROC AUC {found['leak_alone']:.3f}: filled in afterwards"),
        ("largest difference of a score after training again", f"{found['refit_difference']:.1e}"),
    ]
    return f"""# Overfitting, leakage, repeatability

The split is by time: training May 2024 to January 2025, test February to April 2025. The test months were scored once.

{_table(("check", "result"), checks)}
"""


def input_checks(parts: Parts) -> str:
    """Return the checks on every production month, with the rows that break them."""
    rules = _rules(parts)
    lines = [(name, *(_broken(check(batch)) for batch in parts.production.values())) for name, check in rules.items()]
    return f"""# Checks on every batch

Learned from the training months, corrected and accepted by the author and the head of credit operations. The numbers
are rows that break a check, or "broken" for a check on the whole batch.

{_table(("check", *parts.production), lines)}

From August 2025 on the batches hold a channel that the training has never seen, and far more loans without employment
years. The checks stop such a batch until a person has looked at it.
"""


def stress_test(parts: Parts, model: Any) -> str:
    """Return what extreme inputs do to the decisions of the test months."""
    rows = parts.test[list(FEATURES)]
    usual = model.predict(rows)
    lines = []
    for name, what, changed in _stressed(rows):
        scores = model.predict_proba(changed)[:, 1]
        is_sound = bool(np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all())
        moved = float((model.predict(changed) != usual).mean())
        refused = float(model.predict(changed).mean())
        lines.append((name, what, percent(moved), percent(refused), "yes" if is_sound else "no"))
    return f"""# Extreme and missing inputs

Each input of the {len(rows):,} test loans was changed alone. Usually {percent(usual.mean())} are refused.

{_table(("input", "change", "decisions that change", "refused then", "scores stay between 0 and 1"), lines)}

Values outside the ranges of the input checks never reach the model: the application form refuses them, and the
prediction guard sends the case to a person.
"""


def weak_segments(parts: Parts) -> str:
    """Return the parts of the test months in which the model ranks worst, confirmed on the months after."""
    lines = [
        (f"{column}: {value}", f"{rows:,}", f"{first:.3f}", f"{later:.3f}")
        for column, value, rows, first, later in segments(parts)
    ]
    return f"""# Where the model ranks worst

Segments with at least twelve defaults in both spans, the weakest first.

{_table(("segment", "loans in the test", "ROC AUC, February to April", "ROC AUC, May to July"), lines)}

The two weakest are shown to the case worker with the remark "score less certain here".
"""


def shadow_run(parts: Parts, found: dict[str, Figure]) -> str:
    """Return the months in which the model ran along without deciding."""
    lines = [
        (
            name,
            f"{len(rows):,}",
            percent(rows["prediction"].mean()),
            f"{rows['score'].mean():.3f}",
            percent(rows[TARGET].mean()),
            f"{auc(rows):.3f}",
        )
        for name, rows in parts.production.items()
    ]
    return f"""# Shadow run, May to October 2025

The frozen model scored every loan of six months that it had not seen; the rule in force had decided. All outcomes are
final.

{_table(("month", "loans", "would be refused", "mean score", "defaults", "ROC AUC"), lines)}

- May to July: ROC AUC {found["auc_early"]:.3f}, as in the test ({found["auc_test"]:.3f}).
- August to October: ROC AUC {found["auc_late"]:.3f}. The marketplace now brings {_share(found["marketplace"])} of the
  loans. Its customers record a lower income, and the model would refuse {_share(found["flagged_marketplace"])} of them
  although {_share(found["rate_marketplace"])} defaulted. It ranks as well as before but is too strict there.
"""


def case_review(parts: Parts) -> str:
    """Return the forty clearest errors of the test months, each with a verdict and a note, as CSV."""
    test = parts.test
    missed = test[(test[TARGET] == 1) & (test["prediction"] == 0)].nsmallest(20, "score")
    alarms = test[(test[TARGET] == 0) & (test["prediction"] == 1)].nlargest(20, "score")
    cases = pd.concat([missed, alarms])
    notes = [_verdict(case) for _, case in cases.iterrows()]
    cases = cases.assign(verdict=[verdict for verdict, _ in notes], note=[note for _, note in notes])
    kept = ["application_id", "application_date", "score", TARGET, "verdict", "note"]
    return str(cases[kept].to_csv(index=False))


def _verdict(case: pd.Series[Any]) -> tuple[str, str]:
    if case[TARGET] == 1 and case["collection_calls"] == 0:
        return "label to be checked", "recorded as a default, but collections never called"
    if case[TARGET] == 1:
        return (
            "not foreseeable",
            f"{case['housing']}, no earlier default, income {case['income']:,.0f}: nothing in the form",
        )
    if case["gender"] == "female" and case["age"] >= 27 and case["employment_years"] < 2:
        return "error of the model", "short employment after an interruption; the file shows steady earlier work"
    if case["prior_defaults"] >= 1:
        return "ambiguous", f"{case['prior_defaults']} earlier default(s), repaid since; an officer would have asked"
    return "ambiguous", f"debt ratio {case['debt_ratio']:.2f} and a long term, but every instalment was paid"


def _rules(parts: Parts) -> dict[str, Callable[[pd.DataFrame], pd.Series[bool] | bool]]:
    rules: dict[str, Callable[[pd.DataFrame], pd.Series[bool] | bool]] = {}
    for name, (low, high) in _LOW_AND_HIGH.items():
        rules[f"{name} from {low:,} to {high:,}"] = lambda rows, name=name, low=low, high=high: (  # type: ignore[misc]
            (rows[name] < low) | (rows[name] > high)
        )
    for name in CATEGORIES:
        known = set(parts.train[name])
        rules[f"{name} is one of {len(known)}"] = lambda rows, name=name, known=known: ~rows[name].isin(known)  # type: ignore[misc]
    for name, most in _MOST_MISSING.items():
        rules[f"{name} missing for at most {percent(most)}"] = lambda rows, name=name, most=most: bool(  # type: ignore[misc]
            rows[name].isna().mean() > most
        )
    rules["application_id is unique"] = lambda rows: rows["application_id"].duplicated()
    return rules


def _broken(result: pd.Series[bool] | bool) -> str:
    if isinstance(result, bool):
        return "broken" if result else "kept"
    return f"{int(result.sum()):,}"


def _stressed(rows: pd.DataFrame) -> Iterable[tuple[str, str, pd.DataFrame]]:
    for name in NUMBERS:
        yield name, "missing", rows.assign(**{name: np.nan})
        for what, factor in _FACTORS.items():
            yield name, what, rows.assign(**{name: rows[name] * factor})
    for name in CATEGORIES:
        yield name, "unknown value", rows.assign(**{name: "never seen"})


def _shares(rows: pd.DataFrame) -> list[tuple[str, str]]:
    def text(name: str) -> str:
        shares = rows[name].value_counts(normalize=True)
        return ", ".join(f"{value} {percent(share)}" for value, share in shares.items())

    return [(name, text(name)) for name in (*CATEGORIES, "gender", "age_band")]


def _span(rows: pd.DataFrame) -> str:
    days = rows["application_date"]
    return f"{days.min():%d.%m.%Y} to {days.max():%d.%m.%Y}"


def _table(header: tuple[str, ...], lines: Iterable[tuple[object, ...]]) -> str:
    """Return a Markdown table."""
    all_lines = [header, tuple("---" for _ in header), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in all_lines)
