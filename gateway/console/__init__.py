"""Pages for people: what a visitor would see, and why."""
