"""The usual names of columns, by the role that they play. Names are compared in lower case, words joined by ``_``.

Sensitive ones also in German and French, and without accents.
"""

from __future__ import annotations

import re
import unicodedata

TARGETS = (
    "target", "y_true", "ytrue", "true_label", "label", "labels", "y", "ground_truth", "truth", "actual", "actuals",
    "actual_label", "y_actual", "observed", "outcome", "response", "class", "true_class", "is_default", "default",
    "defaulted", "default_flag", "default_payment_next_month", "bad", "bad_flag", "is_fraud", "fraud", "fraudulent",
    "churn", "churned", "is_churn", "exited", "attrition", "survived", "survival", "diagnosis", "two_year_recid",
    "is_recid", "recidivism", "converted", "conversion", "clicked", "click", "repaid", "loan_status", "approved",
    "hired", "admitted", "readmitted", "income_above_50k", "saleprice", "sale_price", "medv", "price", "quality",
    "species", "dependent", "dependent_variable",
)  # fmt: skip
PREDICTIONS = (
    "prediction", "y_pred", "ypred", "predicted", "predictions", "pred", "preds", "yhat", "y_hat",
    "predicted_label", "predicted_class", "predicted_value", "pred_label", "pred_class", "model_prediction",
    "model_output", "forecast", "estimate", "estimated", "decision", "model_decision",
)  # fmt: skip
SCORES = (
    "score", "y_score", "yscore", "proba", "probability", "y_proba", "y_prob", "y_probs", "yproba", "yprob", "prob",
    "probs", "pred_proba", "pred_prob", "predict_proba", "prediction_proba", "prediction_score",
    "prediction_probability", "predicted_probability", "predicted_proba", "predicted_prob", "predicted_score",
    "model_score", "score_positive", "positive_probability", "probability_of_default", "pd", "p", "p_default",
    "confidence", "risk", "risk_score",
)  # fmt: skip
SCORE_PREFIXES = (
    "predicted_probability", "prediction_probability", "predict_proba", "predicted_proba", "pred_proba",
    "pred_prob", "y_proba", "y_prob", "y_score", "probability", "proba", "prob", "score", "p",
)  # fmt: skip
_SENSITIVE_IN_GERMAN_AND_FRENCH = frozenset({
    "geschlecht", "geschlechtsidentitat", "geschlechtsidentitaet", "ethnie", "ethnische_herkunft",
    "ethnische_zugehorigkeit", "ethnische_zugehoerigkeit", "herkunftsland",
    "geburtsland", "hautfarbe", "konfession", "religionszugehorigkeit",
    "religionszugehoerigkeit", "behinderung", "schwerbehinderung", "schwerbehindert", "familienstand", "zivilstand",
    "staatsangehorigkeit", "staatsangehoerigkeit", "staatsburgerschaft", "staatsbuergerschaft", "nationalitat",
    "nationalitaet", "migrationshintergrund", "sexuelle_orientierung", "altersgruppe", "altersklasse", "schwanger",
    "sexe", "origine_ethnique", "couleur_de_peau", "handicap", "situation_handicap", "etat_civil",
    "situation_familiale", "situation_matrimoniale", "statut_matrimonial", "nationalite", "pays_de_naissance",
    "orientation_sexuelle", "tranche_d_age", "tranche_age", "enceinte",
})  # fmt: skip
SENSITIVE = frozenset({
    "gender", "sex", "race", "ethnicity", "ethnic_group", "ethnic", "race_ethnicity", "age_group", "age_band",
    "age_bracket", "age_bucket", "age_cat", "age_category", "age_class", "age_range", "religion", "nationality",
    "citizenship", "disability", "disabled", "marital_status", "marital", "civil_status", "foreign_worker",
    "national_origin", "native_country", "veteran", "sexual_orientation", "orientation", "pregnant", "pregnancy",
    "skin_tone", "skin_color", "skin_colour", "caste", "sensitive", "protected", "protected_group", "minority",
    "group", "migration_background", "immigrant", "country_of_birth",
}) | _SENSITIVE_IN_GERMAN_AND_FRENCH  # fmt: skip
SENSITIVE_WORDS = frozenset({
    "gender", "sex", "race", "ethnicity", "religion", "nationality", "disability", "marital", "geschlecht", "sexe",
})  # fmt: skip
AGES = frozenset({
    "age", "age_years", "age_in_years", "person_age", "customer_age", "client_age", "applicant_age", "borrower_age",
    "patient_age", "employee_age", "alter", "lebensalter", "alter_in_jahren", "alter_jahre", "age_ans",
})  # fmt: skip
BIRTHS = frozenset({
    "birth_date", "birthdate", "date_of_birth", "dateofbirth", "dob", "birthday", "birth_day", "birth_year",
    "birthyear", "year_of_birth", "yob", "geburtsdatum", "geburtstag", "geburtsjahr", "date_de_naissance",
    "date_naissance", "annee_de_naissance", "annee_naissance",
})  # fmt: skip
PLACES = frozenset({
    "postcode", "post_code", "postal_code", "postalcode", "zip", "zip_code", "zipcode", "zip5", "plz",
    "postleitzahl", "code_postal",
})  # fmt: skip
"""Where people live stands in for who they are."""
WEIGHTS = (
    "sample_weight", "sample_weights", "weights", "instance_weight", "survey_weight", "sampling_weight",
    "observation_weight", "case_weight", "fnlwgt", "wt", "wgt",
)  # fmt: skip
TIMES = (
    "timestamp", "prediction_time", "predicted_at", "scored_at", "event_time", "event_timestamp", "event_date",
    "datetime", "date_time", "time", "date", "application_date", "created_at", "created", "as_of", "as_of_date",
    "asof", "period", "day",
)  # fmt: skip
IDS = frozenset({
    "id", "ids", "uuid", "guid", "key", "index", "idx", "row", "row_id", "rowid", "row_number", "row_index",
    "record", "record_id", "unnamed_0", "case_number", "case_no", "customer_number", "customer_no",
    "account_number", "account_no", "client_number", "entity", "identifier", "ssn", "email", "e_mail", "iban",
    "hash",
})  # fmt: skip
ID_ENDINGS = ("_id", "_ids", "_uuid", "_guid", "_key", "_no", "_nr", "_number", "_num", "_hash", "_identifier")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[\W_]+")


def without_accents(name: str) -> str:
    """Return a name with its letters alone.

    Examples
    --------
    >>> without_accents("nationalität"), without_accents("âge")
    ('nationalitat', 'age')
    """
    parts = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def plain(name: str) -> str:
    """Return a column name in the form of these lists.

    Examples
    --------
    >>> plain("SalePrice"), plain("Y Pred"), plain("marital-status")
    ('sale_price', 'y_pred', 'marital_status')
    """
    return _NOT_WORD.sub("_", _CAMEL.sub("_", name)).strip("_").lower()
