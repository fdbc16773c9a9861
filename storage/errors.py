"""What may go wrong with stored objects and pictures; a class's docstring is the sentence that people read."""

import inspect


class StorageError(Exception):
    """The storage could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class ObjectMissingError(StorageError):
    """There is no object under this key."""


class RangeError(StorageError):
    """The object has no such bytes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size  # bytes in the whole object


class KeyRefusedError(StorageError):
    """This key is not one of ours."""


class StorageRefusedError(StorageError):
    """The storage does not accept our credentials, or they do not allow this."""


class StorageUnavailableError(StorageError):
    """The storage does not answer; try again in a moment."""


class ScannerUnavailableError(StorageUnavailableError):
    """The virus scanner does not answer; try again in a moment."""


class ImageError(StorageError):
    """The picture cannot be used."""


class ImageUnreadableError(ImageError):
    """The file is not a picture that can be read: it is damaged, cut short, or of another kind."""


class ImageFormatError(ImageError):
    """The file is no PNG, JPEG or WebP picture, whatever it is called."""


class ImageLaboriousError(ImageError):
    """Reading the picture takes too long."""


class ImageInterruptedError(ImageError):
    """Reading the picture was interrupted."""


class ImageTooLargeError(ImageError):
    """The picture has more pixels than are allowed."""


class AddressError(Exception):
    """This address is not valid."""

    def __init__(self) -> None:
        super().__init__(inspect.getdoc(type(self)))


class AddressExpiredError(AddressError):
    """This address has expired; ask for the picture again."""
