"""What pytest loads by itself wherever djsms is installed."""
