"""Asyncio shells that every process needs: running, tasks, time, and sockets that carry flows."""
