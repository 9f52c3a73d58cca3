"""Early warnings: signs of risk in what moves on accounts, until a department has handled and closed them."""
