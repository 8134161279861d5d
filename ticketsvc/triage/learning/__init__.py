"""A naive Bayes layer on top of the offline classifier, trained on the labels that people kept or corrected."""
