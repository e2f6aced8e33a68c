"""What people read about the warehouse, made from what the warehouse is: the dictionary, the lineage, the site.

Texts that say what a number means are written once, in the seed of `dim_metrics` and in the YAML of the models;
here they are only set out. No number of a shop comes in here.
"""
