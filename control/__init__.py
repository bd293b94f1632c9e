"""Throttle and steering from policy output. Nothing stands here yet but its errors."""
