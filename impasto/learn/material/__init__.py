"""What is learnt from: pictures, clips, shots, archives; and what is made of them before a network sees them."""
