"""What an onlooker can check: requests, replies, patches, and the rows at the end."""


def client_rule(mine: str, my_revision: int, epoch: str, base: int, revision: int) -> str:
    if epoch != mine:
        return "reopen"
    if revision <= my_revision:
        return "ignore"
    return "apply" if base <= my_revision else "reopen"
