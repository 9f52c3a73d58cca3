"""Orders: contracts, purchases under the pre-charge rules, payments by channel."""
