"""Success classifiers: to come."""
