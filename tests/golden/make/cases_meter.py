# SPDX-License-Identifier: BSD-3-Clause
"""Meter units and bands. Without burst a band holds what one second brings."""
from case import Case
from frames import make
from rules import IPV4, band, document, flow, meter, meter_by, output

FRAME = make("udp4", data=b"m" * (1000 - 42))  # 1,000 bytes: 8 kilobit


def meter_case(name, says, *meters, criteria=()):
    return Case("meter/" + name, says,
                document([flow(criteria, [meter_by(1), output(2)])], meters=meters))


def cases():
    with meter_case("drop-pktps", "two packets a second, two at once",
                    meter(1, "PKTS_PER_SEC", band("DROP", 2, 2), burst=True)) as case:
        for at, passes in ((0, 1), (1, 1), (2, 0), (501, 1), (502, 0), (1001, 1), (1002, 0),
                           (5000, 1), (5001, 1), (5002, 0)):
            case.send(1, FRAME, at_ms=at)
            if passes:
                case.expect(2, FRAME)
            else:
                case.drop("meter")
        case.meter_counts(1, 10, 10 * len(FRAME), [[4, 4 * len(FRAME)]])
    with meter_case("drop-no-burst", "without burst size: what one second brings",
                    meter(1, "PKTS_PER_SEC", band("DROP", 3))) as case:
        for at, passes in ((0, 1), (1, 1), (2, 1), (3, 0), (335, 1), (336, 0)):
            case.send(1, FRAME, at_ms=at)
            if passes:
                case.expect(2, FRAME)
            else:
                case.drop("meter")
    with meter_case("drop-kbps", "80 kilobit a second, 16 at once: two frames, then one each 100 ms",
                    meter(1, "KB_PER_SEC", band("DROP", 80, 16), burst=True)) as case:
        for at, passes in ((0, 1), (1, 1), (2, 0), (101, 1), (102, 0), (302, 1), (303, 1), (304, 0)):
            case.send(1, FRAME, at_ms=at)
            if passes:
                case.expect(2, FRAME)
            else:
                case.drop("meter")
        case.meter_counts(1, 8, 8 * len(FRAME), [[3, 3 * len(FRAME)]])
    with meter_case("drop-bytes", "10,000 bytes a second, 2,000 at once",
                    meter(1, "BYTES_PER_SEC", band("DROP", 10000, 2000), burst=True)) as case:
        for at, passes in ((0, 1), (1, 1), (2, 0), (101, 1), (102, 0)):
            case.send(1, FRAME, at_ms=at)
            if passes:
                case.expect(2, FRAME)
            else:
                case.drop("meter")
    with meter_case("remark", "over the rate the drop precedence rises: AF11 becomes AF12",
                    meter(1, "PKTS_PER_SEC", band("REMARK", 1, 1, prec=1), burst=True),
                    criteria=IPV4) as case:
        af11, af12 = make("udp4", tos=10 << 2 | 1), make("udp4", tos=12 << 2 | 1)
        case.send(1, af11, at_ms=0).expect(2, af11)
        case.send(1, af11, at_ms=1).expect(2, af12)
        case.meter_counts(1, 2, 2 * len(af11), [[1, len(af11)]])
    with meter_case("remark-most", "never above precedence 3; other classes stay",
                    meter(1, "PKTS_PER_SEC", band("REMARK", 1, 1, prec=2), burst=True)) as case:
        first = make("udp4")
        case.send(1, first, at_ms=0).expect(2, first)
        for before, after in ((10, 14), (12, 14), (14, 14), (46, 46), (0, 0)):
            case.send(1, make("udp4", tos=before << 2), at_ms=1)
            case.expect(2, make("udp4", tos=after << 2))
    with meter_case("remark-ipv6", "the traffic class of IPv6 as well; other frames pass",
                    meter(1, "PKTS_PER_SEC", band("REMARK", 1, 1, prec=1), burst=True)) as case:
        case.send(1, make("udp6"), at_ms=0).expect(2, make("udp6"))
        case.send(1, make("udp6", tos=10 << 2, flabel=0x12345), at_ms=1)
        case.expect(2, make("udp6", tos=12 << 2, flabel=0x12345))
        case.send(1, make("arp"), at_ms=2).expect(2, make("arp"))
    with meter_case("two-bands", "of the bands that are exceeded the one with the highest rate",
                    meter(1, "PKTS_PER_SEC", band("REMARK", 1, 1, prec=1), band("DROP", 3, 3),
                          burst=True)) as case:
        af11, af12 = make("udp4", tos=10 << 2), make("udp4", tos=12 << 2)
        case.send(1, af11, at_ms=0).expect(2, af11)
        case.send(1, af11, at_ms=1).expect(2, af12)
        case.send(1, af11, at_ms=2).expect(2, af12)
        case.send(1, af11, at_ms=3).drop("meter")
