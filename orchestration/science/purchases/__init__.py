"""Models of customers who never announce that they leave; `models` lists them."""
