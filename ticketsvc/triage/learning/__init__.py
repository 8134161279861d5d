"""Learn from corrected labels: a naive Bayes layer on top of the offline classifier."""
