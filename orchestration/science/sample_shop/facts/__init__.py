"""What happened in the sample shop, past and future alike: arrays in, arrays out.

One module per subject. Facts hold every moment at which something happens; what an export shows of
them on a given day is the business of `sample_shop.tables`.
"""
