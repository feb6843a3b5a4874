"""The example workspace: believable credit data with planted truths, models trained on it, and three reviews.

`modelops.demo.generator` makes the data and says what is planted in it, `modelops.demo.training` trains for real in a
process of its own, and `modelops.demo.workspace` takes both through the services, as people would.
"""
