"""Events: the feed, subscriptions, and signed delivery by webhook."""
