"""Tails of the binomial and of Student's t, exactly enough to test with, from the standard library alone."""

from __future__ import annotations

import math
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 400
"""Most terms of the continued fraction; about the square root of the larger argument is used."""


def fair_tail(k: int, n: int) -> float:
    """P(X <= k) where X counts heads of n tosses of a fair coin."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    heads = sum(math.comb(n, i) for i in range(k + 1))
    return float(heads / 2**n)


def student_cdf(t: float, df: float) -> float:
    """P(T <= t) of Student's t with df > 0 degrees of freedom, which need not be whole."""
    if math.isinf(t):
        return 1.0 if t > 0 else 0.0
    tail = 0.5 * incomplete_beta(df / (df + t * t), df / 2, 0.5)
    return 1.0 - tail if t > 0 else tail


def student_quantile(share: float, df: float) -> float:
    """The t below which `share` of Student's t with df degrees of freedom lies, 0 < share < 1."""
    if share < 0.5:
        return -student_quantile(1 - share, df)
    low, high = 0.0, max(2.0, 2 * NormalDist().inv_cdf(share))
    while student_cdf(high, df) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, df) < share else (low, middle)
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), 0 <= x <= 1, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(log_beta_density(x, a, b))
    # The fraction converges fast on one side of the mean, and the function is its own mirror image.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_beta_density(x: float, a: float, b: float) -> float:
    """log of x^a (1 - x)^b / B(a, b)."""
    return a * math.log(x) + b * math.log1p(-x) - log_beta(a, b)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away(1 + factor * d)
            c = _away(1 + factor / c)
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
