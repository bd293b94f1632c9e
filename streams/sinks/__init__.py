"""Where pictures go beside the broker."""
