"""Learn: how to measure with an estimator of your own. Is one more level of extrapolation worth its time?"""

import numpy as np

import ngos_sim as ns

LEVELS = (1, 2, 4, 8)  # steps of Euler-Maruyama to one of the optimizer
WEIGHTS = np.array([-1.0, 14.0, -56.0, 64.0]) / 21.0  # what is left of a + b h + c h^2 + d h^3 is a


class Deeper(ns.Estimator):
    name = "deeper"
    merit = "four levels leave a bias of order 4"

    def serves(self, problems, opponent, function):
        return ns.Refused("it integrates SDEs") if opponent.sde is None else ns.Served()

    def plan(self, problem, wanted):
        return [self.against(problem, opponent, list(functions)) for opponent, functions in wanted.items()]

    def against(self, problem, opponent, functions):
        parts = [problem.optimizer(), *(problem.integrated(opponent.sde, level) for level in LEVELS)]
        rows = [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, *WEIGHTS], [1.0, *-WEIGHTS]]  # optimizer, SDE, their difference
        job = problem.job(parts, np.array(rows), problem.observables(functions))

        def read(measured):
            ((mean, std_error),) = measured  # each of shape (times, functions, rows)
            readings = (ns.Reading(*mean[:, at].T, std_error[:, at, 2]) for at in range(len(functions)))
            return {ns.Quantity(opponent.name, g): each for g, each in zip(functions, readings, strict=True)}

        return ns.Plan((job,), read)


if __name__ == "__main__":
    tables = [
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(0.9)),
            optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
            sde=ns.rmsprop_sde(),
            initial=dict(theta=1.2, u=1.0),
            eta2=[2.0**-2, 2.0**-3],
            horizon=1.0,
            times=[1.0],
            test_functions=["theta[0]", "u[0]"],
            estimator=estimator,
        )
        .run(trajectories=1_000_000, seed=0)
        .table
        for estimator in ("local", "coupled", Deeper())
    ]
    for rows in zip(*(table.itertuples() for table in tables), strict=True):
        for row in rows:
            print(f"{row.test_function:9} h={row.h:<6} {row.estimator:8} {row.error:+.5f} ({row.std_error:.5f})")
