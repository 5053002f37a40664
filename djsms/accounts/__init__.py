"""Who sends: installed backends, configured accounts, their webhook addresses and tokens."""
