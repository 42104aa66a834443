"""Events over the protocols that people use already: Segment's, Google Analytics', mParticle's, and our own."""
