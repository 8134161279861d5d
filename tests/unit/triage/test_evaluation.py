"""The metrics of an evaluation, compared with values computed by hand."""

from __future__ import annotations

import pytest

from ticketsvc.triage.evaluation import (
    Prediction,
    accuracy,
    calibration_bins,
    calibration_error,
    cohens_kappa,
    macro_f1,
    quality,
    recall,
)


def predictions(*counted: tuple[str, str, int]) -> list[Prediction]:
    """Return `count` predictions for each (predicted, actual, count)."""
    return [Prediction(predicted, 0.5, actual) for predicted, actual, count in counted for _ in range(count)]


# Cohen's kappa of two raters on 50 items: 20 yes-yes, 15 no-no, 5 yes-no, 10 no-yes. p_o is 0.7, p_e 0.5.
FIFTY = predictions(("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15))


def test_accuracy_is_the_share_of_correct_predictions() -> None:
    assert accuracy(FIFTY) == pytest.approx(0.7)


def test_recall_is_the_share_of_a_label_that_is_found() -> None:
    assert recall(FIFTY, "yes") == pytest.approx(20 / 30)
    assert recall(FIFTY, "maybe") is None


def test_kappa_is_the_agreement_beyond_chance() -> None:
    assert cohens_kappa(FIFTY) == pytest.approx(0.4)
    assert cohens_kappa(predictions(("a", "a", 3), ("b", "b", 2))) == pytest.approx(1.0)
    assert cohens_kappa(predictions(("a", "b", 1), ("b", "a", 1))) == pytest.approx(-1.0)
    assert cohens_kappa(predictions(("a", "a", 1), ("a", "b", 1), ("b", "a", 1), ("b", "b", 1))) == pytest.approx(0.0)


def test_kappa_of_a_single_label_is_undefined() -> None:
    assert cohens_kappa(predictions(("a", "a", 3))) is None


def test_macro_f1_is_the_mean_over_the_labels() -> None:
    yes, no = 2 * 20 / (25 + 30), 2 * 15 / (25 + 20)
    assert macro_f1(FIFTY) == pytest.approx((yes + no) / 2)


def test_macro_f1_includes_labels_only_predicted_or_only_actual() -> None:
    assert macro_f1(predictions(("a", "a", 1), ("b", "c", 1))) == pytest.approx(1 / 3)


def test_calibration_bins_group_by_confidence() -> None:
    given = [Prediction("a", confidence, "a") for confidence in (0.0, 0.09, 0.1, 0.95, 1.0)]
    bins = calibration_bins(given)
    assert [(each.lower, each.size) for each in bins] == [(0.0, 2), (0.1, 1), (0.9, 2)]
    assert bins[2].confidence == pytest.approx(0.975)


def test_calibration_error_is_the_mean_gap_to_the_accuracy() -> None:
    sure = [Prediction("a", 0.9, "a"), Prediction("a", 0.9, "b")]
    unsure = [Prediction("a", 0.3, "a")] * 2
    assert calibration_error(calibration_bins(sure)) == pytest.approx(0.4)
    assert calibration_error(calibration_bins([*sure, *unsure])) == pytest.approx((2 * 0.4 + 2 * 0.7) / 4)
    assert calibration_error(calibration_bins([Prediction("a", 1.0, "a")])) == 0


def test_quality_contains_all_metrics() -> None:
    found = quality(FIFTY)
    assert found[:4] == (50, accuracy(FIFTY), macro_f1(FIFTY), cohens_kappa(FIFTY))
    assert found.calibration_error == calibration_error(found.bins)
