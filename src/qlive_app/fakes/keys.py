"""The dummy credentials that the fakes let in. They open nothing anywhere else."""

from attrs import field, frozen


@frozen
class Keys:
    """A key and its secret."""

    key: str
    secret: str = field(repr=False)


QINIU = Keys("qlive-test-ak", "qlive-test-sk")
RONGCLOUD = Keys("qlive-rc-appkey", "qlive-rc-secret")
