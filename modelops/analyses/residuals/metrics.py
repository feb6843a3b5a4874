"""What `residuals` reports, each metric in one line."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "mean_residual": "Mean of target less prediction: above 0 where the model says too little.",
    "residual_standard_deviation": "Standard deviation of target less prediction.",
    "residual_quantile": "The given share of the rows has a smaller residual than this.",
    "residual_skewness": "Skewness of the residuals: 0 if symmetric, above 0 if large underestimates reach further.",
    "residual_excess_kurtosis": "How heavy the tails of the residuals are; 0 as in a normal distribution.",
    "residual_variance_explained": "Share of the residual variance that the column still explains; 0: nothing is left.",
    "residual_p_value": "How often residuals that do not depend on the column would look as if they did.",
    "residual_adjusted_p_value": "The same, adjusted for how many columns were tested.",
    "residual_spread_ratio": "Spread of the residuals where predictions are largest over that where they are smallest.",
    "breusch_pagan_statistic": "Breusch-Pagan statistic (studentised) of uneven spread of the residuals.",
    "breusch_pagan_p_value": "How often an even spread would look this uneven (Breusch-Pagan).",
    "breusch_pagan_degrees_of_freedom": "Degrees of freedom of the Breusch-Pagan test.",
    "white_statistic": "White's statistic of uneven spread over the prediction and its square.",
    "white_p_value": "How often an even spread would look this uneven (White).",
    "residual_autocorrelation": "Correlation of a residual with the one before in time; 0: none.",
    "residual_autocorrelation_p_value": "How often residuals without autocorrelation would show as much at lag 1.",
    "residual_autocorrelation_adjusted_p_value": "The same, adjusted for how many classes were looked at.",
    "durbin_watson_statistic": "Durbin-Watson statistic: 2 without autocorrelation, less if neighbours are alike.",
    "ljung_box_statistic": "Ljung-Box statistic of autocorrelation over several lags.",
    "ljung_box_p_value": "How often independent residuals would look this autocorrelated (Ljung-Box).",
    "error_bias": "How differently the column is spread among the worst errors of one side and all other rows, 0 to 1.",
    "error_bias_p_value": "How often the worst errors would differ as much in this column by chance.",
    "error_bias_adjusted_p_value": "The same, adjusted for how many columns and sides were tested.",
}
