"""pipelines/beam"""
