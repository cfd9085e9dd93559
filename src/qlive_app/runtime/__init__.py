"""What runs beside the faces: effects, deadlines, the sweep, logs and metrics."""
