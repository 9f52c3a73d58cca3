"""Funds: custody accounts, what the platform asks a bank to do, what the bank did, and whether both agree."""
