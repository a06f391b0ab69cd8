"""The mathematics: one module a family, one function a measure."""
