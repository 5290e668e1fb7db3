import logan.keras_settings  # noqa: F401  before Keras is imported
