"""The words sent to models, versioned beside the code that sends them, and the shapes of what comes back."""
