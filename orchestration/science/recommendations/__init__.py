"""What each customer is shown: products by what alike customers do, by what products are, or by both.

Three methods and a fallback. `collaborative` knows which products go together in the hands of the
same customers, `content` what a customer prefers among what is written of products, `hybrid` is the
mean of both with the habit of buying again, and `popular` speaks where the others have nothing to
say. All rank products and not variants, and all read the past alone (`acts_until`). Which of them
speaks is found by `trial`.
"""
