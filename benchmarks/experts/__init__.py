"""Questions and captions about photographs in packages: what the vision experts answer rightly."""
