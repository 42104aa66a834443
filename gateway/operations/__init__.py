"""GraphQL operations, prepared once and executed often. Knows GraphQL schemas, and nothing of Blockloom."""
