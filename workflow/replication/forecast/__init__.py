"""What runs will cost, before they start."""
