from .main import handler as handler
