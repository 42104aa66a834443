"""Random schemas, operations, variables and values, and what graphql-core makes of them.

Everything draws from a `random.Random`: hypothesis hands in one that shrinks, a longer run one with a seed.
"""
