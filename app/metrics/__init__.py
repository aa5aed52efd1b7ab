"""What Prometheus is told: of the server, of jobs and of models; and the page of a worker that serves nothing else."""
