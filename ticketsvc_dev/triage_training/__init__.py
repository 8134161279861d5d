"""Labelled tickets, and the training of the linear model of triage from them."""
