"""Files as the world has them, decoded by this package, by ffmpeg and by Pillow side by side."""
