"""What a person drives with: sources of key strokes behind one interface."""
