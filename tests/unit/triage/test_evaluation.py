"""The figures of an evaluation, beside sums done by hand."""

from __future__ import annotations

import pytest

from ticketsvc.triage.evaluation import (
    Answer,
    accuracy,
    calibration_error,
    cohens_kappa,
    macro_f1,
    quality,
    reliability,
)


def answers(*counted: tuple[str, str, int]) -> list[Answer]:
    """So many answers of (suggested, right)."""
    return [Answer(suggested, 0.5, right) for suggested, right, count in counted for _ in range(count)]


# Cohen's kappa for 50 judged twice: 20 yes-yes, 15 no-no, 5 yes-no, 10 no-yes: p_o 0.7, p_e 0.5.
FIFTY = answers(("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15))


def test_accuracy_is_the_share_that_is_right() -> None:
    assert accuracy(FIFTY) == pytest.approx(0.7)


def test_kappa_is_agreement_beyond_chance() -> None:
    assert cohens_kappa(FIFTY) == pytest.approx(0.4)
    assert cohens_kappa(answers(("a", "a", 3), ("b", "b", 2))) == pytest.approx(1.0)
    assert cohens_kappa(answers(("a", "b", 1), ("b", "a", 1))) == pytest.approx(-1.0)
    assert cohens_kappa(answers(("a", "a", 1), ("a", "b", 1), ("b", "a", 1), ("b", "b", 1))) == pytest.approx(0.0)


def test_kappa_of_one_label_alone_is_undefined() -> None:
    assert cohens_kappa(answers(("a", "a", 3))) is None


def test_macro_f1_is_the_mean_of_the_labels() -> None:
    yes, no = 2 * 20 / (25 + 30), 2 * 15 / (25 + 20)
    assert macro_f1(FIFTY) == pytest.approx((yes + no) / 2)


def test_macro_f1_counts_labels_that_were_only_suggested_or_only_right() -> None:
    assert macro_f1(answers(("a", "a", 1), ("b", "c", 1))) == pytest.approx(1 / 3)


def test_bins_hold_answers_of_like_confidence() -> None:
    given = [Answer("a", confidence, "a") for confidence in (0.0, 0.09, 0.1, 0.95, 1.0)]
    bins = reliability(given)
    assert [(part.least, part.answers) for part in bins] == [(0.0, 2), (0.1, 1), (0.9, 2)]
    assert bins[2].confidence == pytest.approx(0.975)


def test_the_calibration_error_is_the_mean_distance_of_confidence_and_accuracy() -> None:
    sure = [Answer("a", 0.9, "a"), Answer("a", 0.9, "b")]
    unsure = [Answer("a", 0.3, "a")] * 2
    assert calibration_error(reliability(sure)) == pytest.approx(0.4)
    assert calibration_error(reliability([*sure, *unsure])) == pytest.approx((2 * 0.4 + 2 * 0.7) / 4)
    assert calibration_error(reliability([Answer("a", 1.0, "a")])) == 0


def test_quality_has_them_all() -> None:
    figures = quality(FIFTY)
    assert figures[:4] == (50, accuracy(FIFTY), macro_f1(FIFTY), cohens_kappa(FIFTY))
    assert figures.calibration_error == calibration_error(figures.reliability)
