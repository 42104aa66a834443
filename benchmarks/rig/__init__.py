"""What the benchmarks of the page share; no script in itself."""
