"""What happens later: the queue, the events, and the jobs."""
