"""The guard's judgement of a URL by its text, and of an address."""

from contextlib import suppress
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.contract.errors import BadRequest
from callwright.net.guard import SOCKET, AllowList, check, check_address

HONEST = [
    "https://example.com",
    "https://example.com/",
    "https://EXAMPLE.com./hook?x=1#part",
    "https://example.com:443/hook",
    "https://example.com:8443/hook",
    "https://example.com:80/",
    "https://sub-domain.example.co.uk/a/b/../c",
    "https://xn--bcher-kva.example/",
    "https://bücher.example/",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[2002:808:808::1]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://0x08080808/",
    "https://api.telephony.example/%2e%2e/x",
    "https://user.example/@evil",
    "https://metadata.example.com/",
    "https://localhost.example.com/",
    "https://172.32.0.1/",
    "https://100.128.0.1/",
    "https://11.0.0.1/",
]

HOSTILE = """
http://example.com/
ftp://example.com/
file:///etc/passwd
gopher://example.com/
javascript:alert(1)
data:text/plain,hi
//example.com/
example.com
https:///path
https://
https://user@example.com/
https://user:secret@example.com/
https://example.com@127.0.0.1/
https://example.com:22/
https://example.com:25/
https://example.com:0/
https://example.com:99999/
https://exa\tmple.com/
https://example.com\\@127.0.0.1/
https://example.com/a b
https://example.com/a\\b
https://example.com/\x7f
https://localhost/
https://LOCALHOST./
https://api.localhost/
https://printer.local/
https://metadata.google.internal/
https://metadata.goog/
https://instance-data.ec2.internal/
https://db.corp/
https://router.lan/
https://intranet/
https://127.0.0.1/
https://127.0.0.1./
https://127.1/
https://127.0.1/
https://2130706433/
https://0x7f000001/
https://0x7F.1/
https://0177.0.0.1/
https://017700000001/
https://0x7f.0x0.0x0.0x1/
https://0/
https://0.0.0.0/
https://10.0.0.1/
https://172.16.0.1/
https://172.31.255.255/
https://192.168.1.1/
https://100.64.0.1/
https://169.254.1.1/
https://169.254.169.254/latest/meta-data/
https://0xa9fea9fe/
https://2852039166/
https://169.254.170.2/
https://100.100.100.200/
https://168.63.129.16/
https://192.0.0.192/
https://192.0.2.1/
https://198.18.0.1/
https://198.51.100.1/
https://203.0.113.1/
https://224.0.0.1/
https://240.0.0.1/
https://255.255.255.255/
https://256.1.1.1/
https://1.2.3.4.5/
https://example.123/
https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/
https://[::1]/
https://[::]/
https://[::127.0.0.1]/
https://[::ffff:127.0.0.1]/
https://[::ffff:7f00:1]/
https://[::ffff:169.254.169.254]/
https://[2002:7f00:1::]/
https://[2002:a9fe:a9fe::1]/
https://[64:ff9b::7f00:1]/
https://[64:ff9b::10.0.0.1]/
https://[64:ff9b:1::1]/
https://[2001:0:7f00:1::1]/
https://[2001:0:808:808:0:0:80ff:fffe]/
https://[fe80::1]/
https://[fe80::1%25eth0]/
https://[fc00::1]/
https://[fd00:ec2::254]/
https://[fec0::1]/
https://[ff02::1]/
https://[2001:db8::1]/
https://[3fff::1]/
https://[2a00:1450::5efe:7f00:1]/
https://[4000::1]/
wss://example.com/
""".strip().splitlines()


@pytest.mark.parametrize("url", HONEST)
def test_an_honest_url_passes(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    "url", [*HOSTILE, "https://a b.com/", "https://example.com/\r\nX: 1", "", "https://e.com/" + "a" * 5000]
)
def test_a_hostile_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check(url)
    assert len(str(caught.value)) < 300
    assert "secret" not in str(caught.value).replace("use a secret", "")


def test_sockets_are_asked_for_by_name() -> None:
    check("wss://example.com/", schemes=SOCKET)
    for url in ("ws://example.com/", "https://example.com/"):
        with pytest.raises(BadRequest):
            check(url, schemes=SOCKET)


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("localhost", "http://localhost:11434/v1"),
        ("localhost", "http://api.localhost/"),
        ("localhost", "http://127.0.0.1:1/"),
        ("127.0.0.0/8", "http://localhost/"),
        ("127.0.0.1", "http://[::1]/"),
        ("10.0.0.0/8, crm.internal", "http://10.1.2.3/"),
        ("10.0.0.0/8, crm.internal", "http://CRM.internal:22/"),
        ("10.0.0.0/8", "http://0x0a000001/"),
        ("10.0.0.0/8", "https://[::ffff:10.0.0.1]/"),
        ("fd00::/8", "http://[fd12::1]/"),
        ("intranet", "https://intranet/"),
        ("169.254.169.254", "http://169.254.169.254/"),
    ],
)
def test_the_operator_opens_private_places_by_name(allow: str, url: str) -> None:
    check(url, allow=AllowList.parse(allow))


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("10.0.0.0/8", "http://192.168.0.1/"),
        ("crm.internal", "https://other.internal/"),
        ("internal", "https://crm.internal/"),
        ("127.0.0.2", "https://127.0.0.1/"),
        ("169.254.0.0/16", "http://169.254.169.254/"),
        ("0.0.0.0/0", "https://[::ffff:a9fe:a9fe]/"),
        ("localhost", "http://user:pw@localhost/"),
    ],
)
def test_an_opened_place_opens_no_other(allow: str, url: str) -> None:
    with pytest.raises(BadRequest):
        check(url, allow=AllowList.parse(allow))


def test_a_name_that_was_opened_may_lead_inside_but_not_to_metadata() -> None:
    allow = AllowList.parse("crm.internal")
    check_address(ip_address("10.0.0.1"), "crm.internal", allow)
    with pytest.raises(BadRequest, match="metadata"):
        check_address(ip_address("169.254.169.254"), "crm.internal", allow)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "http://localhost", "*.internal", "a b/c", "1.2.3"])
def test_a_wrong_entry_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="neither a host name"):
        AllowList.parse(f"localhost {text}")


def test_an_empty_list_opens_nothing() -> None:
    assert AllowList.parse(" , ") == AllowList()


@pytest.mark.parametrize(
    "url", ["http://localhost:11434/v1", "http://127.0.0.1:8080", "http://[::1]:1", "http://models.internal"]
)
def test_the_host_of_an_operators_url_is_opened(url: str) -> None:
    check(url, allow=AllowList().with_host_of(url))


INSIDE = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "0.0.0.0/8",
]


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """An address inside, as people hide it: other bases, fewer parts, wrapped in IPv6."""
    network = ip_network(draw(st.sampled_from(INSIDE)))
    number = int(network[draw(st.integers(0, network.num_addresses - 1))])
    parts = draw(st.integers(1, 4))
    numbers = [(number >> 8 * (3 - i)) & 255 for i in range(parts - 1)] + [number & ((1 << 8 * (5 - parts)) - 1)]
    written = [draw(st.sampled_from(["{}", "0x{:x}", "0X{:X}", "0{:o}", "0x000{:x}"])).format(n) for n in numbers]
    high, low = number >> 16, number & 0xFFFF
    wrapped = ["::ffff:{:x}:{:x}", "::{:x}:{:x}", "64:ff9b::{:x}:{:x}", "2002:{:x}:{:x}::1", "2a00::5efe:{:x}:{:x}"]
    forms = [".".join(written), *(f"[{form.format(high, low)}]" for form in wrapped)]
    return draw(st.sampled_from(forms)) + draw(st.sampled_from(["", ":8443"]))


@settings(max_examples=500)
@given(spellings())
def test_no_spelling_of_an_inside_address_passes(host: str) -> None:
    with pytest.raises(BadRequest):
        check(f"https://{host}/")


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_any_text_is_judged_without_a_crash(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/path", f"https://x@{text}:80"):
        with suppress(BadRequest):
            check(url)
