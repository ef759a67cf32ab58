"""One module a question: calls the estimators, returns records and facts."""
