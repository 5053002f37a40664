"""What ``peers`` need in the settings."""

APPS = ["post_office", "django_tasks_db"]
SETTINGS = {
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    "POST_OFFICE": {
        "BACKENDS": {"default": "django.core.mail.backends.dummy.EmailBackend"},
        "BATCH_SIZE": 1000,
        "THREADS_PER_PROCESS": 1,
        "LOG_LEVEL": 0,
    },
    "TASKS": {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}},
}
