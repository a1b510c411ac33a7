"""What `make bench` measures. Each figure stands next to its target and to a reference measured in the same run."""
