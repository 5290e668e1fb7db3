"""An encoder alone: where it puts the data, beside its prior."""

from matplotlib.figure import Figure

from logan.evaluation import metrics_of
from logan.figures.encoder import EncoderPanel, encoder_figure
from logan.metrics.coverage import nearest_centers
from logan.settings import PRIORS
from logan.visualization.drawings import Drawing, saved
from logan.visualization.history import History

_LABELS = {"uniform": "unimodal prior", "normal": "normal prior"}


def encoder_panel(history: History) -> EncoderPanel:
    """A row of the figure, from the last snapshot."""
    metrics, last = metrics_of(history.run), history.last
    nearest, _ = nearest_centers(last["real"], history.toy.centers)
    prior = history.run.experiment.prior
    is_unimodal = prior in PRIORS
    caption = (
        f"{metrics['captured_fair']} of {metrics['modes']} "
        f"{'equal cells' if is_unimodal else 'modes'} covered"
    )
    label = _LABELS[prior] if is_unimodal else f"prior of {metrics['modes']} modes"
    modes = history.toy.modes[nearest]
    return EncoderPanel(label, last["real"], modes, last["encoded"], last["prior"], caption)


def _figure(history: History) -> Figure:
    return encoder_figure([encoder_panel(history)])


ENCODER = Drawing(lambda history: history.is_encoder, saved(_figure))
